"""One node's enforcement: adopt what is in the kernel, apply changes, repair damage, read denials.

Used by the lab and the agent alike. Nothing here waits: the caller drives time and watches the descriptors.
"""

from podfence.node.denials import Denial, Denials
from podfence.node.enforcement import Applied, Enforcement

__all__ = ["Applied", "Denial", "Denials", "Enforcement"]
