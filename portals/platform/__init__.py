"""The platform console: the cloud as its owner sees it (TEN-5)."""
