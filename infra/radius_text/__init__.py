"""RADIUS attributes as text: names from vendor dictionaries, checked ``Attribute = value`` lines (NET-3).

Below both the packet path, which sends them, and the business, which checks what an operator typed. No packets here.
"""
