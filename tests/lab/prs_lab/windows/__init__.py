"""The Windows twin: one file per part of a host, the WinRM wire, and models of what Ansible asks for."""
