;;; countersign-text.el --- Text of agents as people may see it  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 the Countersign authors
;; SPDX-License-Identifier: MIT OR Apache-2.0

;;; Commentary:

;; What an agent wrote is shown so that nothing in it hides, moves the cursor
;; or changes the order of what stands beside it.  The server escapes already;
;; this is done once more where it is drawn, whoever sent it.

;;; Code:

(defconst countersign-text--blanks
  '(#x034f #x115f #x1160 #x17b4 #x17b5 #x2800 #x3164 #xffa0)
  "Letters and marks that show nothing.")

(defun countersign-text--deceptive-p (character)
  "Whether CHARACTER hides, looks like a space, or changes how others look."
  (or (memq character countersign-text--blanks)
      ;; Variation selectors, of Mongolian and of everything.
      (<= #x180b character #x180f)
      (<= #xfe00 character #xfe0f)
      (<= #xe0000 character #xe0fff)
      ;; Controls, formats, surrogates, private, unassigned, separators.
      ;; Raw bytes have no category at all.
      (memq (get-char-code-property character 'general-category)
            '(nil Cc Cf Cs Co Cn Zl Zp Zs))))

(defun countersign-text--escape (character)
  "CHARACTER written out, if it needs to be, as a string."
  (cond ((eq character ?\n) "\\n")
        ((eq character ?\t) "\\t")
        ((eq character ?\r) "\\r")
        ((or (< character ?\s) (= character ?\d)) (format "\\x%02x" character))
        ((countersign-text--deceptive-p character) (format "<U+%04X>" character))
        (t (string character))))

(defun countersign-text-lines (text)
  "TEXT with everything written out that deceives; line feeds and tabs stay.
Text properties stay where they are."
  (replace-regexp-in-string
   "[^ -~\n\t]"
   (lambda (found)
     (apply #'propertize (countersign-text--escape (aref found 0))
            (text-properties-at 0 found)))
   text t t))

(defun countersign-text-line (text)
  "TEXT on one line, with everything written out that deceives."
  (replace-regexp-in-string
   "[^ -~]"
   (lambda (found) (countersign-text--escape (aref found 0)))
   (or text "") t t))

(defun countersign-text-for-format (text)
  "TEXT on one line for a mode line or header line, which interpret `%'."
  (string-replace "%" "%%" (countersign-text-line text)))

(defun countersign-text-position (text offset)
  "The index into TEXT of an OFFSET that counts UTF-16 code units."
  (let ((index 0)
        (units 0)
        (length (length text)))
    (while (and (< units offset) (< index length))
      (setq units (+ units (if (> (aref text index) #xffff) 2 1))
            index (1+ index)))
    index))

(provide 'countersign-text)
;;; countersign-text.el ends here
