"""Whether a few words are English: what tells a translation from a remark about one."""

import pycld2

ENGLISH = ("en", "sco", "un")  # CLD2 takes some English for Scots; "un": it cannot say

# As English names them, with the code by which CLD2 takes a hint.
LANGUAGES = {
    "Arabic": "ar", "Bengali": "bn", "Cantonese": "zh", "Catalan": "ca", "Chinese": "zh",
    "Croatian": "hr", "Czech": "cs", "Danish": "da", "Dutch": "nl", "Finnish": "fi",
    "French": "fr", "Gaelic": "gd", "German": "de", "Greek": "el", "Hebrew": "iw", "Hindi": "hi",
    "Hungarian": "hu", "Icelandic": "is", "Indonesian": "id", "Irish": "ga", "Italian": "it",
    "Japanese": "ja", "Korean": "ko", "Latin": "la", "Malay": "ms", "Malayalam": "ml",
    "Mandarin": "zh", "Norwegian": "no", "Persian": "fa", "Polish": "pl", "Portuguese": "pt",
    "Romanian": "ro", "Russian": "ru", "Sanskrit": "sa", "Serbian": "sr", "Spanish": "es",
    "Swahili": "sw", "Swedish": "sv", "Tagalog": "tl", "Tamil": "ta", "Thai": "th",
    "Turkish": "tr", "Ukrainian": "uk", "Urdu": "ur", "Vietnamese": "vi", "Welsh": "cy",
    "Yiddish": "yi",
}  # fmt: skip


def is_foreign(words: str, language: str | None = None) -> bool:
    """CLD2's judgement of a name, phrase or sentence; `language` (a key above) is what it is said
    to be in, and helps.

    >>> is_foreign("Je ne suis pas un imbecile"), is_foreign("I'm not a fool")
    (True, False)
    """
    clean = "".join(c if c.isprintable() else " " for c in words).encode("utf-8", "ignore")
    hint = {"hintLanguage": LANGUAGES[language]} if language else {}
    try:
        _, _, details = pycld2.detect(clean, bestEffort=True, **hint)
    except pycld2.error:
        return False
    return details[0][1] not in ENGLISH
