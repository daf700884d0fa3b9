"""Keys of addresses are those of Common Crawl's index."""

import pytest

from wellread.crawl.surt import match, surt_key, surt_keys

# What the library `surt` 0.3.1 gives, which writes the index.
KEYS = {
    "http://example.com/": "com,example)/",
    "https://www.example.com/path/file?b=d&a=c": "com,example)/path/file?a=c&b=d",
    "http://www2.example.co.uk/A/": "uk,co,example)/a",
    "http://www.www.example.com/": "com,example,www)/",
    "http://cdn-www.example.com/x": "com,example,cdn-www)/x",
    "http://h30565.www3.hp.com/t5": "com,hp,www3,h30565)/t5",
    "http://example.com:8080/a//b/../c": "com,example:8080)/a/c",
    "https://example.com/../a/./b/": "com,example)/../a/b",
    "http://127.0.0.1/x": "1,0,0,127)/x",
    "http://example.com/%7Euser/%2541": "com,example)/~user/a",
    "http://example.com/na%C3%AFve%20page": "com,example)/na%c3%afve%20page",
    "http://example.com/a%3Fb%23c": "com,example)/a?b%23c",
    "http://example.com/?q=a%26b&p=%2B": "com,example)/?b&p=+&q=a",
    "http://example.com/x?b&a=&a": "com,example)/x?a&a=&b",
    "http://example.com/?PHPSESSID=0123456789abcdef0123456789abcdef&x=1": "com,example)/?x=1",
    "http://example.com/?x=1&sid=0123456789abcdef0123456789abcdef": "com,example)/?&x=1",
    "http://example.com/?cfid=12&cftoken=34&x=1": "com,example)/?x=1",
    "http://example.com/(S(0123456789abcdefghijklmn))/page.aspx": "com,example)/page.aspx",
    "http://example.com/(0123456789abcdefghijklmn)/page.aspx?q": "com,example)/page.aspx?q",
    # Two of Common Crawl's own lines, from its notebook on look-ups by joining tables.
    "https://commoncrawl.org/2021/02/january-2021-crawl-archive-now-available/": (
        "org,commoncrawl)/2021/02/january-2021-crawl-archive-now-available"
    ),
    "https://fusionbikes.com.ar/producto/luz-knog-blinder-mini-niner/": (
        "ar,com,fusionbikes)/producto/luz-knog-blinder-mini-niner"
    ),
}


@pytest.mark.parametrize("url", KEYS)
def test_the_key_of_an_address_is_that_of_the_index(url: str) -> None:
    assert surt_key(url) == KEYS[url]


def test_a_canonical_address_has_the_keys_of_all_its_spellings() -> None:
    assert surt_keys("http://a.com/b") == ["com,a)/b"]
    assert surt_keys("http://a.com/?p123=") == ["com,a)/?p123=", "com,a)/?p123"]
    assert surt_keys("http://a.com/?q=x+y") == ["com,a)/?q=x+y", "com,a)/?q=x%20y"]


@pytest.mark.parametrize(
    ("captured", "how"),
    [
        ("http://a.com/B?x=1", "exact"),
        ("http://A.com:80/B?x=1#top", "exact"),
        ("http://a.com/B?utm_source=z&x=1", "exact"),
        ("https://a.com/B?x=1", "scheme"),
        ("https://www.a.com/B?x=1", "www"),
        ("http://a.com/B/?x=1", "slash"),
        ("http://a.com/b?x=1", None),  # upper case matters on many sites
        ("http://a.com/B?x=2", None),
        ("http://www2.a.com/B?x=1", None),
        ("http://a.com:8080/B?x=1", None),
        ("dns:a.com", None),
    ],
)
def test_only_another_scheme_www_or_last_slash_is_the_same_page(
    captured: str, how: str | None
) -> None:
    assert match("http://a.com/B?x=1", captured) == how
