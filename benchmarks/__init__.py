"""Figures of the documents: each module measures one thing and writes one small JSON file to `results`.

python -m benchmarks              all of them
python -m benchmarks step seeds   some
"""
