"""A network on this machine made of namespaces, in which policies meet real packets."""
