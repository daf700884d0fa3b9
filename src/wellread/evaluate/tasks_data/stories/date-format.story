From next month the weather service will write all dates in one form: year, month, day. Until now each office used its own.

The change was made after a flood warning for the third of April was read as a warning for the fourth of March. Nobody was harmed, but forty people left their houses too late.

Old records will be converted by a program, and a person will check one in every hundred.

@highlight

The weather service adopts one form for all dates

@highlight

A flood warning had been misread
