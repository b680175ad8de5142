"""The kernel's own language: a codec, sockets, and readers for links, logs and tracked connections.

Nothing here knows what a policy is. `nft` builds its transactions on `codec` and `sockets`; `node` and `lab` use the rest.
"""
