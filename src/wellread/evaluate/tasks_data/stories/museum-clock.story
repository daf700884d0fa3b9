The clock in the hall of the museum strikes again. It had been silent since 1968, when a spring broke and nobody could make a new one.

A student of engineering found the plans in the archive and made the spring for her final examination. She worked on it for seven months.

The clock strikes only until eight in the evening, as the neighbours had asked.

@highlight

A student repaired a clock that had been silent since 1968

@highlight

It strikes only until eight in the evening
