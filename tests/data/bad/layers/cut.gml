graph [
  node [ id 0 Latitude 1 Longitude 2 ]
  node [ id 1