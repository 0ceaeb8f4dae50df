"""Names and addresses of the made-up subscribers; nobody of them exists."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class DemoIsp:
    """One demonstration tenant. The passwords are public: never put such an installation onto the internet."""

    slug: str
    name: str
    contact: str
    locale: str
    regions: tuple[str, ...]
    routers: tuple[tuple[str, str, int], ...]  # name, vendor, index of its region
    streets: tuple[str, ...]
    names: tuple[str, ...]
    cashiers: tuple[tuple[str, str], ...]  # user name, name
    subscribers: int
    username_prefix: str
    phone: str


OWNER_PASSWORD: Final = "broadloom-demo-26"  # noqa: S105
STAFF_PASSWORD: Final = "counter-demo-26"  # noqa: S105

QINGTENG: Final = DemoIsp(
    slug="qingteng",
    name="青藤宽带",
    contact="王海",
    locale="zh",
    regions=("民治一区", "龙华二区", "坂田工业园"),
    routers=(("minzhi", "mikrotik", 0), ("longhua", "huawei", 1), ("bantian", "h3c", 2)),
    streets=("民治大道", "梅龙路", "布龙路", "人民北路", "五和大道", "雪岗路"),
    names=(
        *("李建国", "陈晓敏", "黄志强", "林美玲", "张伟", "刘芳", "杨帆", "赵敏", "周杰", "吴秀英", "徐丽", "孙强"),
        *("马超", "朱红", "胡明", "郭亮", "何静", "高峰", "罗兰", "郑爽", "梁栋", "谢娜", "宋佳", "唐磊"),
        *("许晴", "韩雪", "冯刚", "邓超", "曹颖", "彭博", "曾黎", "肖战", "田雨", "董洁", "袁泉", "潘越"),
    ),
    cashiers=(("liying", "李莹"), ("zhaolei", "赵磊")),
    subscribers=60,
    username_prefix="qt",
    phone="0755-8300 0026",
)
LAKESIDE: Final = DemoIsp(
    slug="lakeside",
    name="Lakeside Broadband",
    contact="Hannah Berg",
    locale="en",
    regions=("North shore", "Old town"),
    routers=(("north-shore", "mikrotik", 0), ("old-town", "cisco", 1)),
    streets=("Harbour Road", "Mill Lane", "Station Street", "Birch Avenue"),
    names=(
        *("Ada Moore", "Ben Okafor", "Clara Ruiz", "Dan Weber", "Eva Lindqvist", "Finn Doyle", "Grace Chen"),
        *("Hugo Martin", "Iris Novak", "Jack Palmer", "Kira Singh", "Leo Fischer", "Mona Haddad", "Nils Berg"),
    ),
    cashiers=(("marta", "Marta Silva"),),
    subscribers=24,
    username_prefix="ls",
    phone="+1 555 0126",
)
