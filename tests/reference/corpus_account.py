"""A little account of a corpus, by hand, for what prints and draws such accounts."""

from wellread.formats.corpus_report import (
    CorpusReport,
    Demonstrations,
    DomainRow,
    Example,
    Range,
    Step,
)

ACCOUNT = CorpusReport(
    num_in=718,
    page_bytes=40_000_000,
    steps=[
        Step(outcome="http_404", reason="http_404", documents=4, num_bytes=0),
        Step(
            outcome="too-short",
            reason="fewer than 128 characters of text",
            documents=22,
            num_bytes=1_800,
        ),
        Step(outcome="language", reason="language is not en", documents=8, num_bytes=90_000),
        Step(
            outcome="near-duplicate",
            reason="near-duplicate of another document",
            documents=73,
            num_bytes=1_500_000,
        ),
    ],
    documents=611,
    num_bytes=12_345_678,
    splits={"train": 545, "validation": 66},
    repaired=3,
    removed_lines=40,
    removed_bytes=2_000,
    languages={"en": 12_342_000, "fr": 3_086, "de": 592},
    lengths=[Range(low=128, high=256, count=11), Range(low=256, high=None, count=600)],
    confidences=[Range(low=0.9, high=0.99, count=11), Range(low=0.99, high=None, count=600)],
    karma=[],
    group_sizes=[Range(low=2, high=3, count=50), Range(low=3, high=4, count=11)],
    domains=[
        DomainRow(name="example", documents=402),
        DomainRow(name="manual.example.net", documents=209),
    ],
    demonstrations=[
        Demonstrations(
            kind="translation",
            meaning="a passage beside its translation",
            found=2,
            documents=1,
            examples=[
                Example(
                    url="http://docs.example.org/fr.html",
                    text="it is written *N'importe quoi*, or nonsense, in",
                    start=14,
                    end=43,
                )
            ],
        ),
        Demonstrations(
            kind="summary", meaning="a text before TL;DR", found=0, documents=0, examples=[]
        ),
    ],
)
