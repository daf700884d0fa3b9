After twelve years the night train to the coast is back. It leaves the capital at ten in the evening and arrives at seven in the morning.

Tickets for the first month were sold within a day. The railway had ended the service because the carriages were too old and too few people used them.

The new carriages have single cabins and a dining car. In winter the train will run only at weekends.

@highlight

The night train to the coast returns after twelve years

@highlight

Tickets for the first month were sold within a day
