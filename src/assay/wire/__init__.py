"""The shapes of every HTTP message, one file a resource: the only schema that client and API share.

JSON of user code is `object` here: it is passed on as it came, neither copied nor judged.
"""
