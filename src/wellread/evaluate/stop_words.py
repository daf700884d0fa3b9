"""English words that carry little meaning: never asked for in a cloze item."""

WORDS = """
a about above after again against all also am an and another any are aren as at be because been
before being below between both but by can cannot could did do does doing done down during each
either else etc even ever every few for from further get gets given got had has have having he
her here hers herself him himself his how however i if in into is isn it its itself just let
like made make makes many may me might more most much must my myself need needs neither no nor
not now of off often on once one only onto or other others otherwise our ours out over own per
rather same see shall she should since so some such than that the their theirs them themselves
then there therefore these they this those though through thus to too two under until up upon us
use used uses using very via was we well were what when where whether which while who whom whose
why will with within without would yes yet you your yours yourself
"""
STOP_WORDS = frozenset(WORDS.split())
