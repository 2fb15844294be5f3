"""Tables in the columns that users of the AllenSDK know."""
