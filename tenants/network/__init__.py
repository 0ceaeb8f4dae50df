"""Regions, routers (NAS), pools."""
