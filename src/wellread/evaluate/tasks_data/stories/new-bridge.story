The town of Alder opened its new bridge on Monday after three years of work. The old bridge, built of wood in 1921, was closed when a lorry broke through its boards.

The mayor drove across first, followed by two hundred cyclists. The bridge has two lanes for cars and a separate path for people on foot.

It cost four million, a million more than planned, because the river bed was softer than the engineers had expected.

@highlight

Alder opens a new bridge three years after the old one was closed

@highlight

It cost a million more than planned because of soft ground
