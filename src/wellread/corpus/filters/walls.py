"""What a site says instead of the page: enable scripts, accept cookies, prove that you are no
robot, log in, subscribe, or that there is no such page. Longer texts that say so too are texts.

C4 drops every line that says "Javascript", "terms of use" or "use cookies" (Raffel et al. 2019,
section 2.2), in articles too.
"""

import re

from wellread.corpus.filter import Filter
from wellread.formats.documents import Document

MOST_CHARACTERS = 2_000  # ours; of a text that may be a wall
# Ours, from pages that sites of news, shops and forums give to programs.
PHRASES = (
    # scripts and browsers
    "enable javascript", "enable js", "javascript is", "javascript enabled", "javascript disabled",
    "javascript and cookies", "requires javascript", "require javascript", "need javascript",
    "turn on javascript", "javascript to run", "javascript-capable", "ad blocker", " adblock",
    "browser is not supported", "supported browser", "unsupported browser", "outdated browser",
    "browser is out of date", "modern browser", "upgrade your browser", "update your browser",
    "browser does not support", "browser doesn't support", "checking your browser",
    "browser will redirect",
    # robots
    "not a robot", "are a robot", "you a robot", "are human", "you a human", "you human",
    "not a bot", "captcha", "unusual activity", "unusual traffic", "automated access",
    "automated queries", "security of your connection", "service to protect itself",
    "could trigger this", "triggered the security", "ray id", "cloudflare", "incident id",
    "reference id", "been blocked", "why did this happen", "what can i do to resolve",
    "site owner to let",
    # cookies
    "uses cookies", "use cookies", "use of cookies", "using cookies", "accept cookies",
    "accept all", "all cookies", "enable cookies", "cookies enabled", "cookies are",
    "cookie policy", "cookie settings", "cookie preferences", "cookies policy", "cookie notice",
    "necessary cookies", "essential cookies", "manage cookies", "our partners", "your consent",
    "your preferences", "your privacy", "privacy policy", "privacy notice", "terms of service",
    "terms of use", "browsing experience", "continue browsing", "continuing to browse",
    "continuing to use", "continue to use this", "ok with this, but", "opt-out if you",
    "personalise content", "personalize content", "analyse our traffic", "analyze our traffic",
    "use of our site", "social media features", "most european countries",
    "options that support our", "audience in the eu", "audience in the european",
    # logins and subscriptions
    "log in to", "log in or", "log into", "logged in", "please log", "must log", "login to",
    "please login", "sign in to", "sign in or", "please sign", "sign up to", "please register",
    "register to", "create an account", "new account", "create a free", "have an account",
    "forgot password", "forgot your", "your password", "years of age or older", "your username",
    "your email address", "members only", "subscribe to", "subscribe now", "subscribers only",
    "for subscribers", "to subscribers", "already a subscriber", "already a member",
    "already subscribed", "free trial", "free articles", "continue reading", "keep reading",
    "read the full", "unlimited access", "full access", "cancel anytime", "your subscription",
    # errors
    "page not found", "not found on this", "page you requested", "page you are", "page you're",
    "page you were", "page cannot", "page can't", "page could not", "page does not exist",
    "page doesn't exist", "page may have", "page might have", "page has been", "page no longer",
    "http error", "error 404", "404 error", "404 not found", "error 403", "403 forbidden",
    "url is forbidden", "access denied", "has been denied", "have permission",
    "permission to access", "internal server error", "bad gateway", "service unavailable",
    "temporarily unavailable", "currently unavailable", "not available in your",
    "no longer available", "isn't available", "is not available", "been suspended",
    "hosting provider", "domain is for sale", "domain has expired", "try again",
    "something went wrong", "error occurred", "is an error", "check the url", "back button",
    "home page", "document has moved", "not redirected", "be redirected", "being redirected",
    "please wait", "loading...",
)  # fmt: skip
SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")


def wall_share(document: Document) -> float:
    """How much of a short text with two of PHRASES or more is in sentences with them; or 0."""
    if len(document.text) > MOST_CHARACTERS:
        return 0.0
    text = document.text.lower().replace("’", "'")
    said = [phrase for phrase in PHRASES if phrase in text]
    if len(said) < 2:  # one of them alone stands in many a text
        return 0.0
    sentences = SENTENCE.split(text)
    walls = sum(len(one) for one in sentences if any(phrase in one for phrase in said))
    return walls / sum(map(len, sentences))


FILTER = Filter(
    reason="more than {limit:g} of a short text is a site's own: scripts, cookies, logins, errors",
    measure=wall_share,
    limit=0.5,  # ours
    is_most=True,
)
