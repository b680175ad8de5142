"""A Kubernetes network firewall that people can see, test and trust."""

__version__ = "0.1.0"
