@ Kernels for 32-bit Arm with the DSP extension (Cortex-M4, M7). umaal.rs says what they are for.
@
@ Everything turns on one instruction: UMAAL lo, hi, x, y makes hi:lo = x * y + lo + hi, which cannot
@ overflow, and leaves the flags alone. Products are made four rows at a time: per column one load of the
@ operand, one load and one store of the column, and four UMAAL.
@
@ In all kernels r0 is the workspace: low [L], high [L], operand [L], spill [8]. In the columns:
@   r1-r4   x0-x3, the limbs of the four rows
@   r5-r8   c0-c3, the carries of the four rows
@   r9-r12  the newest four limbs y of the operand; they take turns
@   lr      the column
@ No branch depends on data, and every address is r0, or walks through memory at a fixed pace.
@
@ L is 32, 48 or 64 for a prime of RSA-2048, 3072 and 4096, and 64, 96 or 128 for their moduli.

    .syntax unified
    .thumb

@ lr += x0 y(k) + x1 y(k-1) + x2 y(k-2) + x3 y(k-3), carries in and out.
.macro umaal4 y0, y1, y2, y3
    umaal   lr, r5, r1, \y0
    umaal   lr, r6, r2, \y1
    umaal   lr, r7, r3, \y2
    umaal   lr, r8, r4, \y3
.endm

@ One column: read at \from, written at \to; the new limb of the operand is at \operand.
.macro column from, to, operand, y0, y1, y2, y3
    ldr     \y0, [r0, #(\operand)]
    ldr     lr, [r0, #(\from)]
    umaal4  \y0, \y1, \y2, \y3
    str     lr, [r0, #(\to)]
.endm

@ Four columns, after which the registers of the operand have their places again.
.macro columns4 from, to, operand
    column  (\from),      (\to),      (\operand),      r9, r12, r11, r10
    column  (\from + 4),  (\to + 4),  (\operand + 4),  r10, r9, r12, r11
    column  (\from + 8),  (\to + 8),  (\operand + 8),  r11, r10, r9, r12
    column  (\from + 12), (\to + 12), (\operand + 12), r12, r11, r10, r9
.endm

@ The four columns above the operand where nothing has been written yet: they begin as the carries.
.macro fresh_top to
    umaal   r5, r6, r2, r12
    umaal   r5, r7, r3, r11
    umaal   r5, r8, r4, r10
    str     r5, [r0, #(\to)]
    umaal   r6, r7, r3, r12
    umaal   r6, r8, r4, r11
    str     r6, [r0, #(\to + 4)]
    umaal   r7, r8, r4, r12
    str     r7, [r0, #(\to + 8)]
    str     r8, [r0, #(\to + 12)]
.endm

@ Two words at r0 + \at, which STRD and LDRD reach up to 1020 only.
.macro store2 a, b, at
    .if     (\at) <= 1020
    strd    \a, \b, [r0, #(\at)]
    .else
    str     \a, [r0, #(\at)]
    str     \b, [r0, #(\at + 4)]
    .endif
.endm

.macro load2 a, b, at
    .if     (\at) <= 1020
    ldrd    \a, \b, [r0, #(\at)]
    .else
    ldr     \a, [r0, #(\at)]
    ldr     \b, [r0, #(\at + 4)]
    .endif
.endm

@ Copies L limbs from \from to r0 + \to.
.macro copy L, from, to
    add     lr, r0, #(\to)
    .rept   \L / 8
    ldmia   \from!, {r4-r11}
    stmia   lr!, {r4-r11}
    .endr
.endm

.macro function name
    .section .text.\name, "ax", %progbits
    .balign 4
    .global \name
    .type   \name, %function
    .thumb_func
\name:
.endm

@ low, high = a * b. r0 workspace, r1 a, r2 b.
@ After each block of rows the columns move down by four, so that the code is the same for each block:
@ the four lowest are finished and go to `low`, the others live in `high`.
.macro product L
    .set    high, 4 * \L
    .set    operand, 8 * \L
    .set    spill, 12 * \L
    push    {r4-r11, lr}
    copy    \L, r2, operand
    movs    r4, #0
    .irp    r, r5, r6, r7, r8, r9, r10, r11
    mov     \r, r4
    .endr
    add     r3, r0, #high
    .rept   \L / 8
    stmia   r3!, {r4-r11}
    .endr
    @ spill: where finished columns go, the rows, their end.
    add     r2, r1, #(4 * \L)
    store2  r0, r1, spill
    str     r2, [r0, #(spill + 8)]
1:
    ldr     r9, [r0, #(spill + 4)]
    ldmia   r9!, {r1-r4}
    str     r9, [r0, #(spill + 4)]
    ldr     r12, [r0, #spill]
    ldr     r9, [r0, #operand]
    ldr     lr, [r0, #high]
    mov     r5, #0
    umaal   lr, r5, r1, r9
    str     lr, [r12]
    ldr     r10, [r0, #(operand + 4)]
    ldr     lr, [r0, #(high + 4)]
    mov     r6, #0
    umaal   lr, r5, r1, r10
    umaal   lr, r6, r2, r9
    str     lr, [r12, #4]
    ldr     r11, [r0, #(operand + 8)]
    ldr     lr, [r0, #(high + 8)]
    mov     r7, #0
    umaal   lr, r5, r1, r11
    umaal   lr, r6, r2, r10
    umaal   lr, r7, r3, r9
    str     lr, [r12, #8]
    ldr     r12, [r0, #(operand + 12)]
    ldr     lr, [r0, #(high + 12)]
    mov     r8, #0
    umaal4  r12, r11, r10, r9
    ldr     r9, [r0, #spill]
    str     lr, [r9, #12]
    add     r9, r9, #16
    str     r9, [r0, #spill]
    .set    k, 16
    .rept   \L / 4 - 1
    columns4 high + k, high + k - 16, operand + k
    .set    k, k + 16
    .endr
    fresh_top high + 4 * \L - 16
    load2   r9, r10, (spill + 4)
    cmp     r9, r10
    bne.w   1b
    pop     {r4-r11, pc}
.endm

@ out = (low, high) / R mod m, almost reduced. r0 workspace, r1 m, r2 -1/m mod 2^32, r3 out.
@ Four rows at a time: each adds the multiple of m that clears the lowest column. The columns move down
@ by four; the four that come in at the top are taken from `high`.
.macro reduce L
    .set    high, 4 * \L
    .set    operand, 8 * \L
    .set    spill, 12 * \L
    push    {r4-r11, lr}
    copy    \L, r1, operand
    @ spill: what comes in, its end, the carry into it, -1/m, out.
    add     r4, r0, #high
    add     r5, r4, #high
    store2  r4, r5, spill
    mov     r4, #0
    store2  r4, r2, (spill + 8)
    str     r3, [r0, #(spill + 16)]
1:
    ldr     r4, [r0, #(spill + 12)]
    ldr     r9, [r0, #operand]
    ldr     lr, [r0]
    mov     r5, #0
    mul     r1, lr, r4
    umaal   lr, r5, r1, r9
    ldr     r10, [r0, #(operand + 4)]
    ldr     lr, [r0, #4]
    mov     r6, #0
    umaal   lr, r5, r1, r10
    mul     r2, lr, r4
    umaal   lr, r6, r2, r9
    ldr     r11, [r0, #(operand + 8)]
    ldr     lr, [r0, #8]
    mov     r7, #0
    umaal   lr, r5, r1, r11
    umaal   lr, r6, r2, r10
    mul     r3, lr, r4
    umaal   lr, r7, r3, r9
    ldr     r12, [r0, #(operand + 12)]
    ldr     lr, [r0, #12]
    mov     r8, #0
    umaal   lr, r5, r1, r12
    umaal   lr, r6, r2, r11
    umaal   lr, r7, r3, r10
    mul     r4, lr, r4
    umaal   lr, r8, r4, r9
    .set    k, 16
    .rept   \L / 4 - 1
    columns4 k, k - 16, operand + k
    .set    k, k + 16
    .endr
    @ Above: a column comes in, and with it the last row's carry and the carry from below, which is 0 or
    @ 1 and so its own square: one UMAAL adds all three.
    ldr     r9, [r0, #spill]
    ldr     r1, [r0, #(spill + 8)]
    ldr     lr, [r9]
    umaal   lr, r5, r1, r1
    umaal   lr, r6, r2, r12
    umaal   lr, r7, r3, r11
    umaal   lr, r8, r4, r10
    str     lr, [r0, #(4 * \L - 16)]
    ldr     lr, [r9, #4]
    umaal   lr, r6, r5, r5
    umaal   lr, r7, r3, r12
    umaal   lr, r8, r4, r11
    str     lr, [r0, #(4 * \L - 12)]
    ldr     lr, [r9, #8]
    umaal   lr, r7, r6, r6
    umaal   lr, r8, r4, r12
    str     lr, [r0, #(4 * \L - 8)]
    ldr     lr, [r9, #12]
    umaal   lr, r8, r7, r7
    str     lr, [r0, #(4 * \L - 4)]
    str     r8, [r0, #(spill + 8)]
    add     r9, r9, #16
    str     r9, [r0, #spill]
    ldr     r10, [r0, #(spill + 4)]
    cmp     r9, r10
    bne.w   1b
    @ Subtract m if there is a carry.
    ldr     r12, [r0, #(spill + 16)]
    add     r1, r0, #operand
    rsb     lr, r8, #0
    cmp     r0, r0
    .rept   \L / 4
    ldmia   r0!, {r2-r5}
    ldmia   r1!, {r6-r9}
    and     r6, r6, lr
    and     r7, r7, lr
    and     r8, r8, lr
    and     r9, r9, lr
    sbcs    r2, r2, r6
    sbcs    r3, r3, r7
    sbcs    r4, r4, r8
    sbcs    r5, r5, r9
    stmia   r12!, {r2-r5}
    .endr
    pop     {r4-r11, pc}
.endm

@ The products of limb i, i + 1, i + 2 and i + 3 with all limbs above them. \first says that the columns
@ have not been written before.
.macro start_column first, to
    .if     \first
    mov     lr, #0
    .else
    ldr     lr, [r0, #(\to)]
    .endif
.endm

.macro zero4 to
    mov     lr, #0
    str     lr, [r0, #(\to)]
    str     lr, [r0, #(\to + 4)]
    str     lr, [r0, #(\to + 8)]
    str     lr, [r0, #(\to + 12)]
.endm

.macro off_diagonal_rows L, i, first
    .set    to, 8 * \i
    ldr     r1, [r0, #(operand + 4 * \i)]
    ldr     r2, [r0, #(operand + 4 * \i + 4)]
    ldr     r3, [r0, #(operand + 4 * \i + 8)]
    ldr     r4, [r0, #(operand + 4 * \i + 12)]
    mov     r5, #0
    mov     r6, #0
    mov     r7, #0
    mov     r8, #0
    start_column \first, to + 4
    umaal   lr, r5, r1, r2
    str     lr, [r0, #(to + 4)]
    start_column \first, to + 8
    umaal   lr, r5, r1, r3
    str     lr, [r0, #(to + 8)]
    start_column \first, to + 12
    umaal   lr, r5, r1, r4
    umaal   lr, r6, r2, r3
    str     lr, [r0, #(to + 12)]
    .if     \i == \L - 4
    umaal   r5, r6, r2, r4
    str     r5, [r0, #(to + 16)]
    umaal   r6, r7, r3, r4
    str     r6, [r0, #(to + 20)]
    str     r7, [r0, #(to + 24)]
    str     r8, [r0, #(to + 28)]
    .else
    ldr     r9, [r0, #(operand + 4 * \i + 16)]
    start_column \first, to + 16
    umaal   lr, r5, r1, r9
    umaal   lr, r6, r2, r4
    str     lr, [r0, #(to + 16)]
    ldr     r10, [r0, #(operand + 4 * \i + 20)]
    start_column \first, to + 20
    umaal   lr, r5, r1, r10
    umaal   lr, r6, r2, r9
    umaal   lr, r7, r3, r4
    str     lr, [r0, #(to + 20)]
    ldr     r11, [r0, #(operand + 4 * \i + 24)]
    start_column \first, to + 24
    umaal   lr, r5, r1, r11
    umaal   lr, r6, r2, r10
    umaal   lr, r7, r3, r9
    str     lr, [r0, #(to + 24)]
    ldr     r12, [r0, #(operand + 4 * \i + 28)]
    start_column \first, to + 28
    umaal4  r12, r11, r10, r9
    str     lr, [r0, #(to + 28)]
    .set    k, 4 * \i + 32
    .rept   (\L - \i - 8) / 4
    .if     \first
    zero4   k
    .endif
    columns4 4 * \i + k, 4 * \i + k, operand + k
    .set    k, k + 16
    .endr
    fresh_top 4 * \i + 4 * \L
    .endif
.endm

@ low, high = a * a. r0 workspace, r1 a.
@ The products off the diagonal once, then twice those and the squares of the limbs.
.macro square L
    .set    operand, 8 * \L
    push    {r4-r11, lr}
    copy    \L, r1, operand
    mov     lr, #0
    str     lr, [r0]
    off_diagonal_rows \L, 0, 1
    .set    row, 4
    .rept   \L / 4 - 1
    off_diagonal_rows \L, row, 0
    .set    row, row + 4
    .endr
    mov     r6, #0
    mov     r12, #2
    .set    k, 0
    .rept   \L
    ldr     r1, [r0, #(operand + k)]
    ldrd    r2, r3, [r0, #(2 * k)]
    umull   r4, r5, r1, r1
    umaal   r4, r6, r2, r12
    umaal   r5, r6, r3, r12
    strd    r4, r5, [r0, #(2 * k)]
    .set    k, k + 4
    .endr
    pop     {r4-r11, pc}
.endm

@ out = table[index] for 16 entries. r0 table, r1 index, r2 out.
@ Every limb is multiplied by 1 or 0 and added up. Eight limbs of all entries at a time.
.macro select L
    push    {r4-r11, lr}
    mov     r3, #(\L / 8)
    push    {r3, lr}
1:
    .irp    r, r4, r5, r6, r7, r8, r9, r10, r11
    mov     \r, #0
    .endr
    .set    entry, 0
    .rept   16
    eor     r3, r1, #entry
    clz     r3, r3
    lsr     r3, r3, #5
    ldrd    r12, lr, [r0]
    mla     r4, r12, r3, r4
    mla     r5, lr, r3, r5
    ldrd    r12, lr, [r0, #8]
    mla     r6, r12, r3, r6
    mla     r7, lr, r3, r7
    ldrd    r12, lr, [r0, #16]
    mla     r8, r12, r3, r8
    mla     r9, lr, r3, r9
    ldrd    r12, lr, [r0, #24]
    mla     r10, r12, r3, r10
    mla     r11, lr, r3, r11
    add     r0, r0, #(4 * \L)
    .set    entry, entry + 1
    .endr
    subw    r0, r0, #(16 * 4 * \L - 32)
    stmia   r2!, {r4-r11}
    ldr     r3, [sp]
    subs    r3, r3, #1
    str     r3, [sp]
    bne.w   1b
    pop     {r3, lr}
    pop     {r4-r11, pc}
.endm

function privyseal_product_32
    product 32
function privyseal_product_48
    product 48
function privyseal_product_64
    product 64
function privyseal_product_96
    product 96
function privyseal_product_128
    product 128
function privyseal_square_32
    square  32
function privyseal_square_48
    square  48
function privyseal_square_64
    square  64
function privyseal_reduce_32
    reduce  32
function privyseal_reduce_48
    reduce  48
function privyseal_reduce_64
    reduce  64
function privyseal_reduce_96
    reduce  96
function privyseal_reduce_128
    reduce  128
function privyseal_select_32
    select  32
function privyseal_select_48
    select  48
function privyseal_select_64
    select  64
