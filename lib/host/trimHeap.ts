import koffi from 'koffi';

const malloc_trim = koffi.load(null).func('int malloc_trim(size_t pad)');

/** Gives the memory that was freed back to the system, as far as its pages are empty (malloc_trim(3) of glibc). */
export function trimHeap(): void {
  malloc_trim(0);
}
