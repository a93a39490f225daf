;;; text-tests.el --- What deceives is written out  -*- lexical-binding: t; -*-

;;; Code:

(require 'ert)
(require 'countersign-text)

(ert-deftest text-that-deceives-nobody-stays ()
  (dolist (text '("rm -rf \"$HOME/ü\" && echo 'a\\nb' # 日本語 🙂" "é" ""))
    (should (equal (countersign-text-lines text) text))
    (should (equal (countersign-text-line text) text)))
  (should (equal (countersign-text-lines "a\n\tb") "a\n\tb")))

(ert-deftest text-that-moves-hides-or-turns-around-is-written-out ()
  (dolist (pair '(("a\eb\rc\0\d" . "a\\x1bb\\rc\\x00\\x7f")
                  ("\u202egpj\u2066.\u200f" . "<U+202E>gpj<U+2066>.<U+200F>")
                  ("\u200b\ufeff\u00ad" . "<U+200B><U+FEFF><U+00AD>")
                  ("\u00a0\u2003\u3000" . "<U+00A0><U+2003><U+3000>")
                  ("\u2028\u0085" . "<U+2028><U+0085>")
                  ("\u3164\u2800\ufe0f" . "<U+3164><U+2800><U+FE0F>")
                  ("\ue000\U000e0041" . "<U+E000><U+E0041>")))
    (should (equal (countersign-text-line (car pair)) (cdr pair)))
    (should (equal (countersign-text-lines (car pair)) (cdr pair)))))

(ert-deftest text-on-one-line-stays-on-it ()
  (should (equal (countersign-text-line "a\nb\tc") "a\\nb\\tc"))
  (should (equal (countersign-text-line nil) ""))
  (should (equal (countersign-text-for-format "%b\n") "%%b\\n")))

(ert-deftest text-keeps-its-faces-when-something-is-written-out ()
  (let ((shown (countersign-text-lines
                (concat "a" (propertize "\u200bb" 'face 'bold)))))
    (should (equal shown "a<U+200B>b"))
    (should-not (get-text-property 0 'face shown))
    (should (eq (get-text-property 1 'face shown) 'bold))
    (should (eq (get-text-property 8 'face shown) 'bold))
    (should (eq (get-text-property 9 'face shown) 'bold))))

(ert-deftest text-is-pointed-at-in-utf-16 ()
  (let ((text "a🙂b"))
    (should (equal (mapcar (lambda (offset) (countersign-text-position text offset))
                           '(0 1 3 4 9))
                   '(0 1 2 3 3)))))

;;; text-tests.el ends here
