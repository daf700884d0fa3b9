The city library will no longer charge for late books. Since the spring, readers who forgot to return a book have paid ten cents a day.

The director said that the fees brought in less money than it cost to collect them. Families in particular stayed away once they owed more than a few coins.

All debts have been forgiven. Readers who lose a book must still pay for a new copy.

@highlight

The city library stops charging for late books

@highlight

Collecting the fees cost more than they brought in
