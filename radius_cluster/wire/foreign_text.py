"""Text attributes that are not the UTF-8 that RFC 2865 asks for."""


def read_text(value: bytes) -> str:
    """UTF-8; else GB 18030, which Chinese routers and Windows write; what is neither has U+FFFD. So has a NUL, which
    PostgreSQL refuses."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        text = _read_foreign(value)
    return text.replace("\0", "\ufffd") if "\0" in text else text


def _read_foreign(value: bytes) -> str:
    try:
        text = value.decode("gb18030")
    except UnicodeDecodeError:
        return value.decode("utf-8", "replace")
    # What is Chinese has Chinese characters: four octets of anything are some character, too.
    return text if any("\u4e00" <= c <= "\u9fff" for c in text) else value.decode("utf-8", "replace")
