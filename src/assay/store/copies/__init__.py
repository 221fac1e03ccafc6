"""What lists and records show, as statements that people paste into psql.

They read the documented views of the schema `insights`, name their project, and hold the filters as
literals. `lists` and `records` make them; `writing` lays them out.
"""
