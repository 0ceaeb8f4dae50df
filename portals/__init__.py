"""The web portals: translate a click into one call of the business and show the answer."""
