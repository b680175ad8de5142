"""nftables as values: tables that print as nft prints them, the way into the kernel and back."""
