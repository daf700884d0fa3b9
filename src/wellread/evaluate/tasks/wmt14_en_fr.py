"""WMT-14, English to French: BLEU after a few example pairs (section 3.7)."""

from wellread.evaluate.translation import newstest2014

TASK = newstest2014("en-fr")
