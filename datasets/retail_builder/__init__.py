"""How the retail data is made from The Complete Journey: one module a feed, pure but for `files`."""
