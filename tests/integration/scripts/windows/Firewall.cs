// HNetCfg.FWRule, as far as the scripts set and read it. Source: Microsoft Learn, INetFwRule; ports without a protocol that has
// them are refused with E_INVALIDARG, and single addresses come back with their mask.
using System;
using System.Linq;

namespace Lab
{
    public class FirewallRule
    {
        private string ports, localPorts;
        private string addresses = "*";

        public string Name { get; set; }
        public string Description { get; set; }
        public string ApplicationName { get; set; }
        public bool Enabled { get; set; }
        public int Direction { get; set; } = 1;
        public int Action { get; set; } = 1;
        public int Protocol { get; set; } = 256;

        public string RemotePorts
        {
            get { return ports; }
            set { ports = Allowed(value); }
        }

        public string LocalPorts
        {
            get { return localPorts; }
            set { localPorts = Allowed(value); }
        }

        private string Allowed(string value)
        {
            if (Protocol != 6 && Protocol != 17) throw new ArgumentException("Value does not fall within the expected range.");
            return value;
        }

        public string RemoteAddresses
        {
            get { return addresses; }
            set { addresses = string.Join(",", value.Split(',').Select(one => one.IndexOfAny(new[] { '/', '-', '*' }) < 0 ? one + "/255.255.255.255" : one)); }
        }
    }
}
