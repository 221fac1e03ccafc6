"""What lists and records show, as statements that people paste into psql.

They read the documented views of the schema `insights`, name their project, and hold the filters as
literals. A file a resource; `writing` lays them out.
"""
