/* Where NumPy arrays lie. Each array gives a capsule, `array.__array_struct__`, that holds a struct
   which NumPy's manual states: "The array interface protocol", C-struct access. Python's functions
   come as pointers, so that neither Python's headers nor NumPy's are needed. */

/* NumPy's PyArrayInterface */
struct interface {
    int two, nd;
    char typekind;
    int itemsize, flags;
    intptr_t *shape, *strides;
    void *data, *descr;
};
enum { CONTIGUOUS = 0x1, ALIGNED = 0x100, NOTSWAPPED = 0x200, WRITEABLE = 0x400 };
enum { NEEDED = CONTIGUOUS | ALIGNED | NOTSWAPPED | WRITEABLE };

/* Functions of Python's stable interface, in the order of library.py */
struct python {
    void *(*PyList_GetItem)(void *list, intptr_t index);
    void *(*PyCapsule_GetPointer)(void *capsule, const char *name);
    void *(*PyEval_SaveThread)(void);
    void (*PyEval_RestoreThread)(void *state);
};

/* Where the elements of an array lie, and how many they are */
struct place {
    char *out;
    i64 count;
};

/* Write the places of the arrays whose capsules are in a list, and return how many arrays cannot be
   drawn into directly, because they have gaps, more axes than one or elements that are not aligned,
   or are read-only: their count becomes 0. Return -1 if Python set an error. */
static i64 locate(const struct python *python, void *list, i64 count, struct place *places)
{
    i64 left_out = 0;
    for (i64 i = 0; i < count; i++) {
        void *capsule = python->PyList_GetItem(list, (intptr_t)i);
        const struct interface *array = capsule ? python->PyCapsule_GetPointer(capsule, NULL) : NULL;
        if (!array)
            return -1;
        int direct = array->two == 2 && array->nd == 1 && (array->flags & NEEDED) == NEEDED;
        places[i].out = array->data;
        places[i].count = direct ? array->shape[0] : 0;
        left_out += !direct;
    }
    return left_out;
}
