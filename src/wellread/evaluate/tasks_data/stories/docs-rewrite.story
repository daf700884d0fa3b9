The manual of the image library has been written anew. The old one listed every function in the order of the alphabet and explained none of them.

The new one begins with six short programs, each of which does something useful. Every example is run by a test each night, so that none can go out of date.

Forty volunteers took part. The index still has the order of the alphabet.

@highlight

The manual of the image library begins with examples that are tested every night

@highlight

Forty volunteers rewrote it
