Bus number 9 will run every ten minutes from Monday instead of every twenty. The city has bought eight electric buses for the line.

In the last year the number of passengers doubled, after two thousand flats were built near its last stop. Many people waited in vain because the buses were full.

The fare stays the same. Line 12, which few people use, will run only once an hour.

@highlight

Bus number 9 will run twice as often from Monday

@highlight

Eight electric buses were bought for it
