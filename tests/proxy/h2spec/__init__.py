"""The cases of h2spec (https://github.com/summerwind/h2spec), which is in no package registry, as data of our own."""
