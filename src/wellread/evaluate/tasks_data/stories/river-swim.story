For the first time since 1950 people may swim in the river again. Tests over two summers showed that the water is clean.

Two factories have moved away, and a new plant upstream cleans the water of six towns. Otters were seen near the castle in May.

Swimming is allowed between the two bridges, but not after heavy rain, when water from the streets runs into the river.

@highlight

Swimming in the river is allowed for the first time since 1950

@highlight

It remains forbidden after heavy rain
