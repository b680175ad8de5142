"""Program → Table and Patch → Transaction: what a datapath-neutral program is in nftables."""

from podfence.nft.render.base import BASE_CHAINS
from podfence.nft.render.settings import Existing, Settings
from podfence.nft.render.tables import Bump, render, render_bump, render_patch

__all__ = ["BASE_CHAINS", "Bump", "Existing", "Settings", "render", "render_bump", "render_patch"]
