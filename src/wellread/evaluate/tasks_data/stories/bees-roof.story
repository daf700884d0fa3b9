There are now half a million bees on the roof of the town hall. Ten hives were placed there in April, between the chimneys and the flag.

The bees find more flowers in the parks and on the balconies of the town than in the fields around it. Their first honey was sold at the market within an hour.

The money pays for new trees along the main street.

@highlight

Ten hives stand on the roof of the town hall

@highlight

The honey pays for new trees
