"""The demo: a conference of real processes, and the proofs on what it left.

  peers      who takes part: certificates, configuration files, launch lines
  messages   what a peer's elements post on the bus, read from gst-launch -m
  capture    the recording of all datagrams
  gdp        the recordings of frames that the pipelines write
  sframe     key schedule and SFrame once more, independent of the C code
  checks     the proofs, on plain data
  story      runs the conference and gathers the data
  report     report.json and the table
  sheet      the contact sheet frames.png
"""
