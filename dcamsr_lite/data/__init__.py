"""From files and arrays to pairs of a reference and a target.

``files`` chooses the reader by a file's extension; that of another format (DICOM) belongs beside
``hdf5`` and returns a ``volume.Volume``.
"""
