"""Names of languages, as people write them, as bits of one number."""

import unicodedata
from collections.abc import Iterable, Mapping
from typing import Final

ANY: Final = (1 << 64) - 1
"""Every language: what somebody speaks of whom it is unknown, and what somebody wants who says
nothing."""

_NAMES: Final[tuple[tuple[str, ...], ...]] = (
    ("english", "英语", "英文"),
    ("mandarin", "chinese", "putonghua", "普通话", "国语", "中文", "汉语", "华语"),
    ("cantonese", "粤语", "广东话", "白话"),
    ("wu", "shanghainese", "上海话", "吴语"),
    ("sichuanese", "四川话"),
    ("hokkien", "taiwanese", "min nan", "闽南话", "闽南语", "台语"),
    ("hakka", "客家话"),
    ("spanish", "西班牙语", "español", "castellano"),
    ("french", "法语", "français"),
    ("german", "德语", "deutsch"),
    ("portuguese", "葡萄牙语", "português"),
    ("italian", "意大利语", "italiano"),
    ("dutch", "荷兰语", "nederlands", "flemish"),
    ("russian", "俄语", "русский"),
    ("ukrainian", "乌克兰语"),
    ("polish", "波兰语", "polski"),
    ("czech", "捷克语"),
    ("slovak", "斯洛伐克语"),
    ("hungarian", "匈牙利语"),
    ("romanian", "罗马尼亚语"),
    ("bulgarian", "保加利亚语"),
    ("serbian", "croatian", "bosnian", "塞尔维亚语", "克罗地亚语"),
    ("slovenian", "斯洛文尼亚语"),
    ("greek", "希腊语"),
    ("turkish", "土耳其语", "türkçe"),
    ("arabic", "阿拉伯语"),
    ("hebrew", "希伯来语"),
    ("yiddish", "意第绪语"),
    ("farsi", "persian", "波斯语"),
    ("kurdish", "库尔德语"),
    ("hindi", "印地语"),
    ("urdu", "乌尔都语"),
    ("bengali", "孟加拉语"),
    ("punjabi", "旁遮普语"),
    ("gujarati", "古吉拉特语"),
    ("marathi", "马拉地语"),
    ("tamil", "泰米尔语"),
    ("telugu", "泰卢固语"),
    ("malayalam", "马拉雅拉姆语"),
    ("kannada", "卡纳达语"),
    ("nepali", "尼泊尔语"),
    ("sinhala", "僧伽罗语"),
    ("japanese", "日语", "日文", "日本語"),
    ("korean", "韩语", "朝鲜语"),
    ("vietnamese", "越南语"),
    ("thai", "泰语"),
    ("khmer", "高棉语"),
    ("indonesian", "malay", "印尼语", "马来语"),
    ("tagalog", "filipino", "菲律宾语"),
    ("mongolian", "蒙古语"),
    ("tibetan", "藏语"),
    ("uighur", "uyghur", "维吾尔语"),
    ("swedish", "瑞典语", "svenska"),
    ("norwegian", "挪威语"),
    ("danish", "丹麦语"),
    ("finnish", "芬兰语"),
    ("estonian", "latvian", "lithuanian", "爱沙尼亚语", "拉脱维亚语", "立陶宛语"),
    ("irish", "welsh", "爱尔兰语", "威尔士语"),
    ("catalan", "basque", "加泰罗尼亚语", "巴斯克语"),
    ("swahili", "斯瓦希里语"),
    ("yoruba", "igbo", "hausa", "约鲁巴语", "伊博语", "豪萨语"),
    ("amharic", "阿姆哈拉语"),
    ("sign language", "手语"),
)
"""One entry a bit. Languages that few speak share one, which lets a few pass too many."""

_BITS: Final[Mapping[str, int]] = {
    name: 1 << place for place, names in enumerate(_NAMES) for name in names
}
_OTHER: Final = 1 << 63
"""All languages that are not in the table: two who each speak such a one may share it."""

_NO_LANGUAGE: Final = frozenset(("c++", "lisp"))
"""OkCupid offered programming languages in jest."""


def spoken(languages: Iterable[str]) -> int:
    """Return the bits of what is spoken; ANY where nothing is stated.

    Remarks do not hinder: "some Igbo", "English (fluently)" and "一点俄语" are understood.
    """
    bits = 0
    for language in languages:
        bits |= _bit(language)
    return bits or ANY


def _bit(language: str) -> int:
    text = unicodedata.normalize("NFKC", language).casefold().partition("(")[0].strip()
    if not text or text in _NO_LANGUAGE:
        return 0
    exact = _BITS.get(text)
    if exact is not None:
        return exact
    # The longest name inside wins: "sign language" before "sign", 上海话 before 话.
    inside = [name for name in _BITS if _holds(text, name)]
    return _BITS[max(inside, key=len)] if inside else _OTHER


def _holds(text: str, name: str) -> bool:
    if name.isascii():
        return f" {name} " in f" {text.replace(',', ' ')} "
    return name in text
