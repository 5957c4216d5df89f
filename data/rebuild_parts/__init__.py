"""Steps of ``data/rebuild.py``; each reads package archives as plain zip files and writes data/."""
