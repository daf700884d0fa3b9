Version 4 of the parser was released on Thursday. It reads large files twice as fast as version 3 and needs half the memory.

The speed comes from a new table of states, which is built once and stored on disk. Programs written for version 3 run without changes, except that the function called load now returns a list and not a tuple.

Version 3 will receive security updates until the end of next year.

@highlight

Version 4 of the parser is twice as fast and needs half the memory

@highlight

The function load now returns a list
