"""Models of Ansible modules: one small file per module or family, registered with `models.module`."""
