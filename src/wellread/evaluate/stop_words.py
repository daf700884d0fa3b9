"""English words that carry little meaning: never asked for in a cloze item, nor, with LAMBADA's
filter, taken as a prediction."""

# What is left of didn't and the like at its apostrophe is among them, but for haven and won.
WORDS = """
a about above after again against ain all also am an and another any are aren as at be because
been before being below between both but by can cannot could couldn did didn do does doesn doing
don done down during each either else etc even ever every few for from further get gets given got
had hadn has hasn have having he her here hers herself him himself his how however i if in into is
isn it its itself just let like made make makes many may me might more most much must mustn my
myself need needn needs neither no nor not now of off often on once one only onto or other others
otherwise our ours out over own per rather same see shall she should shouldn since so some such
than that the their theirs them themselves then there therefore these they this those though
through thus to too two under until up upon us use used uses using very via was wasn we well were
weren what when where whether which while who whom whose why will with within without would wouldn
yes yet you your yours yourself
"""
STOP_WORDS = frozenset(WORDS.split())
