"""The ops of lookup tables under the names that they had before TensorFlow 1.5: files of that time have them."""
from __future__ import annotations

from graphc.ir.op import register
from graphc.ops.lookup import tables


@register
class HashTable(tables.HashTableV2):
    """HashTableV2."""


@register
class MutableHashTable(tables.MutableHashTableV2):
    """MutableHashTableV2."""


@register
class MutableHashTableOfTensors(tables.MutableHashTableOfTensorsV2):
    """MutableHashTableOfTensorsV2."""


@register
class MutableDenseHashTable(tables.MutableDenseHashTableV2):
    """MutableDenseHashTableV2."""


@register
class LookupTableFind(tables.LookupTableFindV2):
    """LookupTableFindV2."""


@register
class LookupTableInsert(tables.LookupTableInsertV2):
    """LookupTableInsertV2."""


@register
class LookupTableImport(tables.LookupTableImportV2):
    """LookupTableImportV2."""


@register
class InitializeTable(tables.InitializeTableV2):
    """InitializeTableV2."""


@register
class InitializeTableFromTextFile(tables.InitializeTableFromTextFileV2):
    """InitializeTableFromTextFileV2."""


@register
class LookupTableSize(tables.LookupTableSizeV2):
    """LookupTableSizeV2."""


@register
class LookupTableExport(tables.LookupTableExportV2):
    """LookupTableExportV2."""
