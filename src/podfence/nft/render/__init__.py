"""Program → Table and Patch → Transaction: what a datapath-neutral program is in nftables."""

from podfence.nft.render.settings import Existing, Settings
from podfence.nft.render.tables import render, render_patch

__all__ = ["Existing", "Settings", "render", "render_patch"]
