"""What is unused of a supplementary pack when it ends. Pure."""


def unused_of_pack(content: int, others: int, left: int | None) -> int:
    """The unused part of a pack of ``content``, where ``others`` are open packs that end later.

    ``left`` is what is left of quota and all packs together. The plan's quota is used first, then the pack that ends
    first: what is left beyond the others' content is this pack's (or the quota's, which this pack cannot lose).
    """
    if left is None or content == 0:
        return 0
    return max(0, min(content, left - others))
