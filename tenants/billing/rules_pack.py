"""What is unused of a supplementary pack when it ends. Pure."""


def unused_of_pack(content: int, others: int, packs_left: int) -> int:
    """The unused part of a pack of ``content``; ``others``: content of the open packs that end later.

    ``packs_left`` is what is left of all packs together; the pack that ends first is used first.
    """
    return max(0, min(content, packs_left - others))
