"""What a web has besides good pages: the addresses that a crawler must survive."""

from wellread.demo.docstrings import Block
from wellread.demo.site import Answer, Where
from wellread.demo.templates import Place, article_html, encyclopedia, journal

HOST = "oddities.example"
ROBOTS = "User-agent: *\nDisallow: /members/\n"
OVERSIZED_BYTES = 6 * 1024**2  # above the default limit of a crawl
MORE = "There is always more. "

FRENCH = [
    "La bibliothèque du village ouvrait ses portes chaque matin à huit heures, et les premiers "
    "lecteurs attendaient déjà sous les tilleuls de la place. On y trouvait des romans, des atlas, "
    "des dictionnaires, et surtout de vieux manuels de programmation que personne n'osait jeter.",
    "Le bibliothécaire, un homme patient, répétait à qui voulait l'entendre qu'un bon manuel se "
    "lit deux fois : la première pour savoir ce qu'il contient, la seconde pour comprendre ce "
    "qu'il ne dit pas. Il notait dans un cahier les questions des visiteurs et cherchait les "
    "réponses le soir.",
    "Un jour, une élève lui demanda comment une machine pouvait apprendre à écrire. Il réfléchit "
    "longtemps, puis il lui tendit une pile de livres : « Comme toi, répondit-il. En lisant "
    "beaucoup, et en devinant à chaque ligne le mot qui va suivre. »",
    "Elle revint tout l'hiver. Au printemps, elle savait expliquer à ses camarades ce qu'est une "
    "boucle, une fonction et une erreur, et pourquoi les erreurs apprennent davantage que les "
    "réussites. La bibliothèque, elle, n'avait pas changé, mais les tilleuls étaient en fleurs.",
]
CHARSET = [
    "The café on the corner keeps its menu in an encoding that its web server does not name "
    "correctly. Crème brûlée, jalapeño soup and piña colada are all spelled well on the page, and "
    "the header that travels with the page claims another alphabet for them.",
    "A reader that trusts the header alone sees strange signs in the place of every accent. A "
    "reader that looks at the bytes themselves finds that they are well-formed in one encoding "
    "and impossible in the other, and shows the page as its writer meant it.",
    "This is the oldest problem of the web, and it is the reason why programs that collect pages "
    "keep the bytes as they came. A mistake in decoding can be repaired later, while the bytes "
    "are still there; a mistake that has been written over them cannot.",
]
MEMBERS = "This page is for members. A polite crawler never sees this sentence."


def page(title: str, paragraphs: list[str], *, language: str = "en") -> str:
    place = Place(host=HOST, language=language, neighbours=[("/", "Start")])
    template = encyclopedia if language == "en" else journal
    blocks = [Block(kind="paragraph", text=text) for text in paragraphs]
    return template(title, article_html(blocks), place)


def oddities(good: Where) -> dict[Where, Answer]:
    """The odd addresses, by place; redirects end at `good`."""
    target = f"http://{good[0]}{good[1]}"
    late = page("A page that takes its time", CHARSET[1:])
    answers = {
        "/robots.txt": Answer(body=ROBOTS, content_type="text/plain"),
        "/members/secret.html": Answer(body=page("Members", [MEMBERS] * 4)),
        "/members/archive.html": Answer(body=page("Archive", [MEMBERS] * 4)),
        "/moved.html": Answer(status=301, location="/moved-again.html"),
        "/moved-again.html": Answer(status=302, location=target),
        "/round.html": Answer(status=302, location="/and-round.html"),
        "/and-round.html": Answer(status=302, location="/round.html"),
        "/gone.html": Answer(status=404, body=page("Not found", ["There is nothing here."])),
        "/failing.html": Answer(status=500, body=page("Error", ["Something went wrong."])),
        "/slow.html": Answer(body=late, delay_seconds=1.5),
        "/stuck.html": Answer(body=late, delay_seconds=30.0),
        "/paper": Answer(body="%PDF-1.4\n" + "0" * 2000, content_type="application/pdf"),
        "/endless.html": Answer(body=MORE, repeat=OVERSIZED_BYTES // len(MORE)),
        "/francais.html": Answer(body=page("La bibliothèque", FRENCH, language="fr")),
        "/menu.html": Answer(
            body=page("The menu", CHARSET), content_type="text/html; charset=iso-8859-1"
        ),
        "/empty.html": Answer(body=""),
        "/soft-error.html": Answer(body=page("Oops", ["Sorry, this page cannot be shown."])),
    }
    return {(HOST, path): answer for path, answer in answers.items()}
