// Stand-ins for Microsoft.Web.Administration: what IIS' configuration may not be asked for is thrown by the getters.
using System;
using System.Collections;
using System.Collections.Generic;
using System.Linq;
namespace Lab {
  public enum ServiceStatus { Stopped = 1, StartPending = 2, StopPending = 3, Running = 4, Paused = 7 }
  public enum InstallState { Available = 0, Installed = 1, UninstallPending = 2, InstallPending = 3, Removed = 5 }
  public enum ObjectState { Starting = 0, Started = 1, Stopping = 2, Stopped = 3, Unknown = 4 }
  public class Named<T> : IEnumerable<T> where T : class {
    readonly List<T> items = new List<T>(); readonly Func<T, string> name;
    public Named(Func<T, string> name) { this.name = name; }
    public void Add(T item) { items.Add(item); }
    // As ConfigurationElementCollectionBase: null for a name that is not there; names of sites are compared without case.
    public T this[string key] { get { return items.FirstOrDefault(i => string.Equals(name(i), key, StringComparison.OrdinalIgnoreCase)); } }
    public T this[int index] { get { return items[index]; } }
    public int Count { get { return items.Count; } }
    public IEnumerator<T> GetEnumerator() { return items.GetEnumerator(); }
    IEnumerator IEnumerable.GetEnumerator() { return items.GetEnumerator(); }
  }
  static class States {
    public static ObjectState Read(string text) {
      if (text == "denied") throw new System.Runtime.InteropServices.COMException("The object identifier does not represent a valid object. (Exception from HRESULT: 0x800710D8)", unchecked((int)0x800710D8));
      return (ObjectState)Enum.Parse(typeof(ObjectState), text);
    }
  }
  public class IisFolder { public string Path { get; set; } public string PhysicalPath { get; set; } }
  public class IisApplication {
    public string Path { get; set; } public string ApplicationPoolName { get; set; }
    public Named<IisFolder> VirtualDirectories = new Named<IisFolder>(f => f.Path);
  }
  public class IisBinding { public string Protocol { get; set; } public string BindingInformation { get; set; } public byte[] CertificateHash { get; set; } }
  public class IisSite {
    public string Name { get; set; } public string StateText;
    public ObjectState State { get { return States.Read(StateText); } }
    public Named<IisApplication> Applications = new Named<IisApplication>(a => a.Path);
    public List<IisBinding> Bindings = new List<IisBinding>();
  }
  public class IisPool { public string Name { get; set; } public string StateText; public ObjectState State { get { return States.Read(StateText); } }
    public IDictionary Attributes; public string Prefix = "";
    // As ConfigurationElement: an enumeration is its number, a time a TimeSpan, and what the schema does not have fails.
    public IisPool GetChildElement(string name) { return new IisPool { Attributes = Attributes, Prefix = Prefix + name + "." }; }
    public object GetAttributeValue(string name) {
      var key = Prefix + name;
      if (Attributes == null || !Attributes.Contains(key)) throw new System.Runtime.InteropServices.COMException("Invalid index. (Exception from HRESULT: 0x80070585)", unchecked((int)0x80070585));
      TimeSpan time; var text = Attributes[key] as string;
      return text != null && TimeSpan.TryParseExact(text, "c", null, out time) ? time : Attributes[key];
    }
  }
  public class IisManager {
    bool denied;
    Named<IisSite> sites = new Named<IisSite>(s => s.Name); Named<IisPool> pools = new Named<IisPool>(p => p.Name);
    void Check() { if (denied) throw new UnauthorizedAccessException("Filename: redirection.config\r\nError: Cannot read configuration file due to insufficient permissions\r\n"); }
    public Named<IisSite> Sites { get { Check(); return sites; } }
    public Named<IisPool> ApplicationPools { get { Check(); return pools; } }
    public static IisManager From(IDictionary world) {
      var m = new IisManager { denied = world.Contains("denied") };
      if (world.Contains("pools")) foreach (IDictionary p in (IEnumerable)world["pools"]) m.pools.Add(new IisPool { Name = (string)p["name"], StateText = (string)p["state"], Attributes = p["attributes"] as IDictionary });
      if (world.Contains("sites")) foreach (IDictionary s in (IEnumerable)world["sites"]) {
        var site = new IisSite { Name = (string)s["name"], StateText = (string)s["state"] };
        if (s["pool"] != null) {
          var root = new IisApplication { Path = "/", ApplicationPoolName = (string)s["pool"] };
          root.VirtualDirectories.Add(new IisFolder { Path = "/", PhysicalPath = (string)s["path"] });
          site.Applications.Add(root);
        }
        foreach (IDictionary b in (IEnumerable)s["bindings"]) {
          var hex = b["hash"] as string;
          site.Bindings.Add(new IisBinding { Protocol = (string)b["protocol"], BindingInformation = (string)b["information"], CertificateHash = string.IsNullOrEmpty(hex) ? null : Convert.FromHexString(hex) });
        }
        m.sites.Add(site);
      }
      return m;
    }
  }
  public class FsoDrive { public double AvailableSpace { get { return 123456789012.0; } } }
  public class FileSystemObject { public FsoDrive GetDrive(string root) { return new FsoDrive(); } }
}
