A mistake in the cache of a popular web framework showed some users the pages of others. The developers published a correction within six hours.

The key of the cache left out the name of the user whenever the address ended with a slash. Two people who asked for the same address within a minute could then receive the same page.

Everyone who runs version 2.8 should install 2.8.1 and empty the cache.

@highlight

A cache showed some users the pages of others

@highlight

Users of version 2.8 should install 2.8.1
